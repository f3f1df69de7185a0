/** Streams: 60 kB that a Worker which only answers with text or bytes never needs. */
import { addTransferable, setStreams } from '../shared.ts';
import * as access from '../streams/access.ts';
import * as textStreams from '../streams/text-streams.ts';
import { transferableStreams } from '../streams/transfer.ts';
import * as webStreams from '../streams/web-streams.ts';

export * from '../streams/access.ts';
export * from '../streams/text-streams.ts';
export * from '../streams/web-streams.ts';

setStreams({ ...access, ...textStreams, ...webStreams });
addTransferable(transferableStreams);
