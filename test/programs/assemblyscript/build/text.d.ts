declare namespace __AdaptedExports {
  /** Exported memory */
  export const memory: WebAssembly.Memory;
  // Exported runtime interface
  export function __new(size: number, id: number): number;
  export function __pin(ptr: number): number;
  export function __unpin(ptr: number): void;
  export function __collect(): void;
  export const __rtti_base: number;
  /**
   * assembly/index/reverse
   * @param text `~lib/string/String`
   * @returns `~lib/string/String`
   */
  export function reverse(text: string): string;
  /**
   * assembly/index/words
   * @param text `~lib/string/String`
   * @returns `~lib/array/Array<~lib/string/String>`
   */
  export function words(text: string): Array<string>;
  /**
   * assembly/index/sum
   * @param numbers `~lib/typedarray/Float64Array`
   * @returns `f64`
   */
  export function sum(numbers: Float64Array): number;
  /**
   * assembly/index/factorial
   * @param n `i64`
   * @returns `i64`
   */
  export function factorial(n: bigint): bigint;
  /**
   * assembly/index/middle
   * @param a `assembly/index/Point`
   * @param b `assembly/index/Point`
   * @returns `assembly/index/Point`
   */
  export function middle(a: __Record8<undefined>, b: __Record8<undefined>): __Record8<never>;
  /**
   * assembly/index/check
   * @param age `i32`
   */
  export function check(age: number): void;
}
/** assembly/index/Point */
declare interface __Record8<TOmittable> {
  /** @type `f64` */
  x: number | TOmittable;
  /** @type `f64` */
  y: number | TOmittable;
}
/** Instantiates the compiled WebAssembly module with the given imports. */
export declare function instantiate(module: WebAssembly.Module, imports: {
  env: unknown,
}): Promise<typeof __AdaptedExports>;
