/** The event stream format (HTML Standard §9.2.6), line by line as text arrives. */
import { charCodeAt, regExpExec, stringIndexOf, stringSlice } from '../../core.ts';

export interface EventSink {
  onEvent(type: string, data: string): void;
  onId(id: string): void;
  onRetry(ms: number): void;
  /** Events are not to grow without end. Nothing is parsed after it. */
  onTooLong(): void;
}

const LINE_END = /\r\n?|\n/g;
const DIGITS = /^[0-9]+$/;
const SPACE = 0x20;

export class EventParser {
  readonly #sink: EventSink;
  readonly #maxLength: number;
  /** An unfinished line. */
  #rest = '';
  #type = '';
  #data = '';
  #hasData = false;
  /** The last line ended with a carriage return: a line feed that follows belongs to it. */
  #afterReturn = false;
  #stopped = false;

  constructor(sink: EventSink, maxLength: number) {
    this.#sink = sink;
    this.#maxLength = maxLength;
  }

  push(chunk: string): void {
    if (this.#stopped || chunk === '') return;
    const skipped = this.#afterReturn && charCodeAt(chunk, 0) === 0x0a ? stringSlice(chunk, 1) : chunk;
    this.#afterReturn = charCodeAt(chunk, chunk.length - 1) === 0x0d;
    const text = this.#rest + skipped;
    let start = 0;
    LINE_END.lastIndex = this.#rest.length;
    for (let match = regExpExec(LINE_END, text); match !== null; match = regExpExec(LINE_END, text)) {
      this.#line(stringSlice(text, start, match.index));
      start = LINE_END.lastIndex;
      if (this.#stopped) return;
    }
    this.#rest = stringSlice(text, start);
    if (this.#rest.length + this.#data.length > this.#maxLength) {
      this.stop();
      this.#sink.onTooLong();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#rest = '';
    this.#data = '';
  }

  #line(line: string): void {
    if (line === '') return this.#dispatch();
    const colon = stringIndexOf(line, ':');
    if (colon === 0) return;
    const field = colon < 0 ? line : stringSlice(line, 0, colon);
    const valueStart = charCodeAt(line, colon + 1) === SPACE ? colon + 2 : colon + 1;
    const value = colon < 0 ? '' : stringSlice(line, valueStart);
    if (field === 'data') {
      this.#data += this.#hasData ? `\n${value}` : value;
      this.#hasData = true;
    } else if (field === 'event') {
      this.#type = value;
    } else if (field === 'id') {
      if (stringIndexOf(value, '\0') < 0) this.#sink.onId(value);
    } else if (field === 'retry' && regExpExec(DIGITS, value) !== null) {
      this.#sink.onRetry(Number(value));
    }
  }

  #dispatch(): void {
    const type = this.#type;
    const data = this.#data;
    const hasData = this.#hasData;
    this.#type = '';
    this.#data = '';
    this.#hasData = false;
    if (hasData) this.#sink.onEvent(type === '' ? 'message' : type, data);
  }
}
