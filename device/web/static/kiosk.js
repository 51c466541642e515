// Tells a mark that somebody set from one that stands where the page put it. Without JavaScript the page asks about it.

const line = document.getElementById("line");
const moved = document.querySelector("[data-moved]");

if (line && moved) {
  line.dataset.moved = moved.value;
  for (const kind of ["input", "change", "pointerup"]) {
    line.addEventListener(kind, () => {
      moved.value = "1";
      line.dataset.moved = "1";
    });
  }
}
