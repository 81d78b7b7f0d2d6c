() => {
  const faults = [];
  const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden' && !e.closest('.unseen');
  const told = (e) => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''} "${(e.textContent || '').trim().slice(0, 30)}"`;
  const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return {rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1}; };
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (let n = e; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
  const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };

  if (!document.documentElement.lang) faults.push('no language');
  if (!document.title.trim()) faults.push('no title');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
  let level = 0;
  for (const h of document.querySelectorAll('h1,h2,h3,h4')) {
    const next = Number(h.tagName[1]);
    if (next > level + 1 && level > 0) faults.push(`a gap in the headings before ${told(h)}`);
    level = next;
  }
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`id twice: ${id}`);
  for (const e of document.querySelectorAll('[for],[aria-describedby],[aria-labelledby],a[href^="#"]')) {
    const points = [e.htmlFor, e.getAttribute('aria-describedby'), e.getAttribute('aria-labelledby'), e.hash && e.hash.slice(1)];
    for (const id of points.filter(Boolean).join(' ').trim().split(/\s+/).filter(Boolean)) if (!document.getElementById(id)) faults.push(`${told(e)} points to nothing: ${id}`);
  }
  for (const e of document.querySelectorAll('input:not([type=hidden]),select,textarea')) {
    if (![...e.labels].some((l) => l.textContent.trim())) faults.push(`no label: ${told(e)}`);
    if (e.type === 'radio' && !e.closest('fieldset')?.querySelector('legend')?.textContent.trim()) faults.push(`no legend: ${told(e)}`);
    if (e.type === 'radio' && e.defaultChecked) faults.push(`preselected: ${told(e)}`);
    if (['text', 'password'].includes(e.type) && ratio(parse(getComputedStyle(e).borderTopColor).rgb, behind(e.parentElement)) < 3) faults.push(`faint edge: ${told(e)}`);
  }
  for (const e of document.querySelectorAll('a,button,summary')) if (!e.textContent.trim() && !e.getAttribute('aria-label')) faults.push(`no name: ${told(e)}`);
  for (const e of document.querySelectorAll('img')) if (!e.hasAttribute('alt')) faults.push(`no alt: ${e.src}`);
  for (const e of document.querySelectorAll('a,button,summary,input[type=text],input[type=password],input[type=file],.choice label')) {
    if (!shown(e) || e.closest('.skip') || e.closest('p:not(.actions):not(.language)')?.textContent.trim().length > e.textContent.trim().length + 2) continue;
    if (e.getBoundingClientRect().height < 44) faults.push(`touch target of ${Math.round(e.getBoundingClientRect().height)} px: ${told(e)}`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !shown(e)) continue;
    const style = getComputedStyle(e);
    if (parseFloat(style.fontSize) < 16) faults.push(`text of ${style.fontSize}: ${told(e)}`);
    const found = ratio(parse(style.color).rgb, behind(e));
    if (found < 4.5) faults.push(`contrast ${found.toFixed(2)}: ${told(e)}`);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) faults.push(`wider than the window: ${document.documentElement.scrollWidth}`);
  return [...new Set(faults)];
}
