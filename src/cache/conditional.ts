/** What a stored response answers to a request with conditions or a range (RFC 9110, sections 13 and 14). */
import { fieldValue, type Fields, type ResponseHead } from './head.ts';

export interface Answer {
  readonly head: ResponseHead;
  readonly body: Buffer | undefined;
}

/** Status 304 has no body; of the headers, those that describe one go with it. */
const OF_THE_BODY = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
]);
const NULL_BODY_STATUSES = new Set([204, 205, 304]);

/** The stored response, a 304 for a condition that holds, or a part of it (206, 416). */
export function answer(stored: Answer, requestFields: Fields): Answer {
  const { head, body } = stored;
  if (head.status !== 200) return NULL_BODY_STATUSES.has(head.status) ? { head, body: undefined } : stored;
  if (isNotModified(head.fields, requestFields)) return notModified(head);
  const range = fieldValue(requestFields, 'range');
  if (range === undefined || body === undefined || !isRangeCurrent(head.fields, requestFields)) return stored;
  return part(head, body, range);
}

/** RFC 9110 §13.2.2: If-None-Match decides where it is given, else If-Modified-Since. */
function isNotModified(fields: Fields, requestFields: Fields): boolean {
  const tags = fieldValue(requestFields, 'if-none-match');
  if (tags !== undefined) {
    const etag = fieldValue(fields, 'etag');
    if (tags.trim() === '*') return true;
    return etag !== undefined && tags.split(',').some((tag) => weak(tag) === weak(etag));
  }
  const since = toTime(fieldValue(requestFields, 'if-modified-since'));
  const modified = toTime(fieldValue(fields, 'last-modified'));
  return since !== undefined && modified !== undefined && modified <= since;
}

/** RFC 9110 §13.1.5: with If-Range, the range applies to the very response that is named. */
function isRangeCurrent(fields: Fields, requestFields: Fields): boolean {
  const condition = fieldValue(requestFields, 'if-range');
  if (condition === undefined) return true;
  if (condition.includes('"')) return !condition.startsWith('W/') && condition === fieldValue(fields, 'etag');
  return condition === fieldValue(fields, 'last-modified');
}

function notModified(head: ResponseHead): Answer {
  const fields: string[] = [];
  for (let i = 0; i < head.fields.length; i += 2) {
    if (!OF_THE_BODY.has(head.fields[i] as string)) fields.push(head.fields[i] as string, head.fields[i + 1] as string);
  }
  return { head: { ...head, status: 304, statusText: 'Not Modified', fields }, body: undefined };
}

/** One range of bytes. Several in one request are answered with the whole, which is allowed (§14.2). */
function part(head: ResponseHead, body: Buffer, range: string): Answer {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return { head, body };
  const size = body.byteLength;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return { head, body };
  if (start > end) {
    const fields = withFields(head.fields, ['content-range', `bytes */${size}`, 'content-length', '0']);
    return { head: { ...head, status: 416, statusText: 'Range Not Satisfiable', fields }, body: undefined };
  }
  const fields = withFields(head.fields, [
    'content-range',
    `bytes ${start}-${end}/${size}`,
    'content-length',
    String(end - start + 1),
  ]);
  return {
    head: { ...head, status: 206, statusText: 'Partial Content', fields },
    body: body.subarray(start, end + 1),
  };
}

/** With each of these in place of what was there. */
function withFields(fields: Fields, added: Fields): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fieldValue(added, fields[i] as string) === undefined) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return [...kept, ...added];
}

function weak(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

function toTime(date: string | undefined): number | undefined {
  const time = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : time;
}
