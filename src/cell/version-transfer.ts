/** A version with its code as a message: JSON, and the modules' bytes one after the other. */
import type { ModuleKind, VersionCode, VersionSpec } from '../model.ts';

export interface VersionHeader {
  readonly spec: VersionSpec;
  readonly modules: readonly { readonly name: string; readonly kind: ModuleKind; readonly bytes: number }[];
}

export function toVersionMessage(code: VersionCode): { header: VersionHeader; payload: Uint8Array } {
  const modules = code.modules.map(({ name, kind, content }) => ({ name, kind, bytes: content.byteLength }));
  return { header: { spec: code.spec, modules }, payload: Buffer.concat(code.modules.map((module) => module.content)) };
}

/** Only between our own processes: the header is trusted, the supervisor wrote it. */
export function fromVersionMessage(header: VersionHeader, payload: Uint8Array): VersionCode {
  let offset = 0;
  const modules = header.modules.map(({ name, kind, bytes }) => {
    const content = payload.subarray(offset, offset + bytes);
    offset += bytes;
    return { name, kind, content };
  });
  return { spec: header.spec, modules };
}
