// AssemblyScript: TypeScript's syntax, WebAssembly's types. Built by the command in ../README.md.

/** Where the picture is: one byte a point, row by row. */
const PICTURE: usize = 1024;
const MAX_POINTS: i32 = 60 * 1024; // fits the one page of 64 KiB

/**
 * Draws the Mandelbrot set. Each byte is the number of steps after which its point escaped, up to `maxSteps`.
 * Returns the address of the picture, or 0 when it would be too big.
 */
export function draw(width: i32, height: i32, maxSteps: i32): usize {
  if (width < 1 || height < 1 || width * height > MAX_POINTS) return 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const re = -2.2 + (3.2 * <f64>x) / <f64>width;
      const im = -1.2 + (2.4 * <f64>y) / <f64>height;
      store<u8>(PICTURE + y * width + x, <u8>countSteps(re, im, maxSteps));
    }
  }
  return PICTURE;
}

function countSteps(re: f64, im: f64, maxSteps: i32): i32 {
  let x = 0.0;
  let y = 0.0;
  for (let step = 0; step < maxSteps; step++) {
    const xx = x * x;
    const yy = y * y;
    if (xx + yy > 4.0) return step;
    y = 2.0 * x * y + im;
    x = xx - yy + re;
  }
  return maxSteps;
}
