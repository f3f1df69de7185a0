import { PlatformError } from '../errors.ts';
import type { AccountId } from '../ids.ts';
import { Scheduler } from '../scheduler/index.ts';
import type { Registry, Schedules } from '../store/index.ts';
import type { SupervisedPlatform } from './control-platform.ts';

export interface SchedulingDeps {
  readonly schedules: Schedules;
  readonly registry: Pick<Registry, 'account'>;
  readonly platform: Pick<SupervisedPlatform, 'fireScheduled'>;
  /** Whether an account has used up its quota: its events are skipped. */
  readonly isRefused: (account: AccountId) => boolean;
  readonly onError: (error: unknown) => void;
}

/** The scheduler of this platform, by the machine's clock. */
export function createScheduler({ schedules, registry, platform, isRefused, onError }: SchedulingDeps): Scheduler {
  return new Scheduler({
    schedules,
    fire: async ({ account, worker, ...event }) => {
      try {
        return await platform.fireScheduled(account, worker, event);
      } catch (error) {
        if (!(error instanceof PlatformError) || error.kind !== 'workerNotFound') throw error;
        return { outcome: 'scriptNotFound', cpuUs: 0, wallMs: 0 }; // none of its versions is deployed
      }
    },
    isSuspended: async (account) => isRefused(account) || (await registry.account(account))?.status === 'suspended',
    clock: {
      now: Date.now,
      setTimer: (run, delayMs) => {
        const timer = setTimeout(run, delayMs);
        return () => clearTimeout(timer);
      },
    },
    onError,
  });
}
