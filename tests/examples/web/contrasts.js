// For each text on the page that is seen: the contrast of its colour with what lies behind it, by WCAG 2.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const paint = (colour) => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); };
  const light = () => {
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const rows = [];
  while (walker.nextNode()) {
    const holder = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !holder.checkVisibility() || holder.closest("script, .quiet")) continue;
    const around = [];
    for (let element = holder; element; element = element.parentElement) around.unshift(element);
    paint("white");
    for (const element of around) paint(getComputedStyle(element).backgroundColor);
    const ground = light();
    paint(getComputedStyle(holder).color);
    const [darker, lighter] = [ground, light()].sort((one, other) => one - other);
    rows.push({text: walker.currentNode.data.trim(), contrast: (lighter + 0.05) / (darker + 0.05)});
  }
  return rows;
}
