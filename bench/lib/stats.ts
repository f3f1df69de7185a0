/** Order statistics over samples. */

/** The smallest sample that at least `share` (0…1) of all are not above. NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Half the width of the 95 % interval, in standard errors, by degrees of freedom (Student's t): from 1 on. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13];

/** The mean of independent samples, and how far off it may be, with 95 % confidence. */
export function confidence(samples: readonly number[]): { readonly mean: number; readonly plusMinus: number } {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  const variance = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / (samples.length - 1);
  return { mean, plusMinus: (STUDENT[samples.length - 2] ?? 1.96) * Math.sqrt(variance / samples.length) };
}
