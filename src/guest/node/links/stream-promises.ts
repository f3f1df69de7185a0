/** `node:stream/promises` for packages inside other parts. */
import stream from './stream.ts';

export const { finished, pipeline } = stream.promises;
export default stream.promises;
