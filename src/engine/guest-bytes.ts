import ivm from 'isolated-vm';

/** Bytes as an argument of a call into an isolate. */
export type GuestBytes = ivm.Copy<ArrayBuffer>;

/** Wraps a copy of `bytes` for use as an argument of an entry. */
export function toGuestBytes(bytes: Uint8Array): GuestBytes {
  // Not bytes.slice(): of a Buffer that is a view of the shared pool, and detaching the pool aborts the process.
  const copy = new Uint8Array(bytes).buffer;
  return new ivm.ExternalCopy(copy, { transferList: [copy] }).copyInto({ release: true, transferIn: true });
}
