/** AssemblyScript, not TypeScript. Built by the command in ../README.md. */

export function reverse(text: string): string {
  return text.split('').reverse().join('');
}

export function words(text: string): string[] {
  const found: string[] = [];
  const parts = text.split(' ');
  for (let index = 0; index < parts.length; index++) {
    if (parts[index].length > 0) found.push(parts[index]);
  }
  found.sort();
  return found;
}

export function sum(numbers: Float64Array): f64 {
  let total: f64 = 0;
  for (let index = 0; index < numbers.length; index++) total += numbers[index];
  return total;
}

export function factorial(n: i64): i64 {
  return n < 2 ? 1 : n * factorial(n - 1);
}

// Without a constructor: crosses as a plain object.
class Point {
  x: f64 = 0;
  y: f64 = 0;
}

export function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

export function check(age: i32): void {
  console.log('checking ' + age.toString());
  if (age < 0) throw new Error('An age is not negative');
}
