/** What metering costs, and how exact it is. Child of the bench: answers once. */
import { measureAccuracy } from './accuracy.ts';
import { measureMeter } from './meter-cost.ts';

export interface MeteringFigures {
  /** 0.02: 2 % too much is billed. */
  readonly error: number;
  readonly meterUs: number;
}

const figures: MeteringFigures = { meterUs: measureMeter(), error: (await measureAccuracy(1_000)).error };
process.send?.(figures);
process.exit();
