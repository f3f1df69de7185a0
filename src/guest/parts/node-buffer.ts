import { bufferModule } from '../node/buffer/index.ts';
import { StringDecoder } from '../node/buffer/string-decoder.ts';

export { StringDecoder };
export const { Buffer } = bufferModule;
export const modules = {
  buffer: () => bufferModule,
  string_decoder: () => ({ StringDecoder }),
};
