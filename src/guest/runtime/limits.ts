/** The limits that the guest keeps itself: of the whole isolate from boot, of the version from attach. */
export const limits = {
  maxTimers: 1_000,
  maxPendingHostCalls: 1_000,
  subrequests: 50,
  maxWasmInstances: 64,
  memoryMiB: 128,
};
