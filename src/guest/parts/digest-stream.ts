/** `crypto.DigestStream`. Apart from "subtle", since it brings the streams along. */
export { DigestStream } from '../subtle/digest-stream.ts';
