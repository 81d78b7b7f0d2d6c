@echo off
rem Install quychu from this folder, without a network.
rem usage: install.bat [FOLDER]     FOLDER is made new; %LOCALAPPDATA%\quychu unless given
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PYTHONUTF8=1"
set "PIP_CONFIG_FILE=nul"
set "HERE=%~dp0"
set "TARGET=%~1"
if not defined TARGET set "TARGET=%LOCALAPPDATA%\quychu"

set "FOUND="
for %%V in (3.13 3.12 3.11) do (
    if not defined FOUND py -%%V -c "import venv" >nul 2>&1 && set "FOUND=py -%%V"
)
if not defined FOUND (
    python -c "import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" >nul 2>&1 && set "FOUND=python"
)
if not defined FOUND (
    echo Expected Python 3.11, 3.12 or 3.13 for 64-bit Windows, found none; install it from the office's own source.
    exit /b 1
)

%FOUND% -m venv "%TARGET%" || exit /b 1
"%TARGET%\Scripts\python.exe" -m pip --isolated --disable-pip-version-check install --quiet --no-index --find-links "%HERE%wheels" --only-binary :all: --require-hashes -r "%HERE%requirements.txt" || exit /b 1
"%TARGET%\Scripts\quychu.exe" --help >nul || exit /b 1
echo quychu is installed: "%TARGET%\Scripts\quychu.exe"
