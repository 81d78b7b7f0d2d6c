"""What a run leaves behind: its folder, its manifest, its workbook, and the word on how far it is."""
