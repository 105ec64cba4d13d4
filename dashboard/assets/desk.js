/* What leads on takes the keyboard when it appears: Enter then opens it. The page marks it with data-first. */
(() => {
  let last = null;
  new MutationObserver(() => {
    const found = document.querySelector("[data-first] a");
    if (found && found !== last) found.focus({ preventScroll: true });
    last = found;
  }).observe(document, { childList: true, subtree: true });
})();
