/** Headers of one connection, which go no further in either direction (RFC 9110 §7.6.1). Lower case. */
export const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
] as const;
