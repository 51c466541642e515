// The reader's own file, so that it can go along with a copy. A page that was opened from disk cannot read its own file, so it
// is put together again from what the browser read of it: the same bytes, letter for letter (a test compares them).

/** The reader as it came. To be asked first of all, from the script at the page's end: before anything has changed it. */
export function pageItself() {
  const read = document.documentElement.outerHTML;
  // The line ends between these are no part of what a browser keeps, or come only after the script that asks.
  const begun = read.replace(/^(<html[^>]*>)<head>/, "$1\n<head>");
  return `<!doctype html>\n${begun.replace(/<\/script><\/body><\/html>$/, "</script>\n</body>\n</html>\n")}`;
}
