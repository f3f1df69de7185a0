/** The version's compatibility date and flags. Known once `configure` has been called, before any module is linked. */
import { SafeSet } from './intrinsics.ts';

const flags = new SafeSet<string>();
let compatibilityDate = '';

export function setCompatibility(date: string, names: readonly string[]): void {
  compatibilityDate = date;
  for (let i = 0; i < names.length; i++) flags.add(names[i]!);
}

export function hasFlag(name: string): boolean {
  return flags.has(name);
}

/** `yyyy-mm-dd`, to be compared as text. */
export function getCompatibilityDate(): string {
  return compatibilityDate;
}
