import { consumers, stream, webStreams } from '../node/stream/index.ts';

export { stream };
export const modules = {
  _stream_duplex: () => stream.Duplex,
  _stream_passthrough: () => stream.PassThrough,
  _stream_readable: () => stream.Readable,
  _stream_transform: () => stream.Transform,
  _stream_writable: () => stream.Writable,
  stream: () => stream,
  'stream/consumers': () => consumers,
  'stream/promises': () => stream.promises,
  'stream/web': webStreams,
};
