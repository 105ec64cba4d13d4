/* A button with data-print prints the page: what is left out of a print is told by the style sheets. */
document.addEventListener("click", (event) => { if (event.target.closest?.("[data-print]")) window.print(); });
