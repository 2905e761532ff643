// Arrow keys, space, click and swipe turn the slides; Home and End; n shows the notes.
(() => {
  const root = document.documentElement;
  const slides = [...document.querySelectorAll(".slide")];
  const notes = [...document.querySelectorAll(".notes")];
  const fromAddress = () => Number((location.hash.match(/^#slide-(\d+)$/) || [])[1] || 1) - 1;
  let current = -1;

  function fit() {
    const height = innerHeight * (root.classList.contains("with-notes") ? 0.74 : 1);
    const scale = Math.min(innerWidth / 1280, height / 720);
    for (const slide of slides) {
      slide.style.transform = `scale(${scale})`;
      slide.style.left = `${(innerWidth - 1280 * scale) / 2}px`;
      slide.style.top = `${(height - 720 * scale) / 2}px`;
    }
  }
  function show(index) {
    current = Math.max(0, Math.min(slides.length - 1, index));
    slides.forEach((slide, k) => slide.classList.toggle("shown", k === current));
    notes.forEach((note, k) => note.classList.toggle("shown", k === current));
    history.replaceState(null, "", `#slide-${current + 1}`);
  }
  const keys = {
    ArrowRight: () => show(current + 1), ArrowDown: () => show(current + 1), PageDown: () => show(current + 1),
    " ": () => show(current + 1), ArrowLeft: () => show(current - 1), ArrowUp: () => show(current - 1),
    PageUp: () => show(current - 1), Home: () => show(0), End: () => show(slides.length - 1),
    n: () => { root.classList.toggle("with-notes"); fit(); },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  addEventListener("click", (event) => {
    if (event.target.closest("a, .notes") || String(getSelection())) return;
    show(current + (event.clientX < innerWidth / 3 ? -1 : 1));
  });
  let start = null;
  addEventListener("touchstart", (event) => { start = event.changedTouches[0].clientX; }, { passive: true });
  addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - start;
    if (Math.abs(moved) > 50) show(current + (moved < 0 ? 1 : -1));
  });
  addEventListener("resize", fit);
  addEventListener("hashchange", () => show(fromAddress()));
  root.classList.add("js");
  fit();
  show(fromAddress());
})();
