"""Pre-registered samples: random slices for raters who know neither whose they are nor when (docs/research.md).

register   a protocol and its seed go into the desk's log before anything is drawn
draw       what is drawn follows from seed and population alone; each slice is sealed anew under a new random id
check      anybody with the desk's folder repeats the draw, and compares it with the log
export     what was reviewed, when and by whom, and whether it is what was handed out
"""
