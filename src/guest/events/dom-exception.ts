import { objectDefineProperty, objectSetPrototypeOf, reflectConstruct } from '../primordials.ts';
import { defineConstants, defineInterface, toDOMString } from '../webidl.ts';

/** The constants, in order: the first is 1. `null` where no name has that code any more (Web IDL, DOMException names). */
const LEGACY: readonly (readonly [constant: string, name: string | null])[] = [
  ['INDEX_SIZE_ERR', 'IndexSizeError'],
  ['DOMSTRING_SIZE_ERR', null],
  ['HIERARCHY_REQUEST_ERR', 'HierarchyRequestError'],
  ['WRONG_DOCUMENT_ERR', 'WrongDocumentError'],
  ['INVALID_CHARACTER_ERR', 'InvalidCharacterError'],
  ['NO_DATA_ALLOWED_ERR', null],
  ['NO_MODIFICATION_ALLOWED_ERR', 'NoModificationAllowedError'],
  ['NOT_FOUND_ERR', 'NotFoundError'],
  ['NOT_SUPPORTED_ERR', 'NotSupportedError'],
  ['INUSE_ATTRIBUTE_ERR', 'InUseAttributeError'],
  ['INVALID_STATE_ERR', 'InvalidStateError'],
  ['SYNTAX_ERR', 'SyntaxError'],
  ['INVALID_MODIFICATION_ERR', 'InvalidModificationError'],
  ['NAMESPACE_ERR', 'NamespaceError'],
  ['INVALID_ACCESS_ERR', 'InvalidAccessError'],
  ['VALIDATION_ERR', null],
  ['TYPE_MISMATCH_ERR', 'TypeMismatchError'],
  ['SECURITY_ERR', 'SecurityError'],
  ['NETWORK_ERR', 'NetworkError'],
  ['ABORT_ERR', 'AbortError'],
  ['URL_MISMATCH_ERR', 'URLMismatchError'],
  ['QUOTA_EXCEEDED_ERR', 'QuotaExceededError'],
  ['TIMEOUT_ERR', 'TimeoutError'],
  ['INVALID_NODE_TYPE_ERR', 'InvalidNodeTypeError'],
  ['DATA_CLONE_ERR', 'DataCloneError'],
];
const CODES: ReadonlyMap<string | null, number> = new Map(LEGACY.map(([, name], i) => [name, i + 1]));

const { captureStackTrace } = Error;

class Returned {
  constructor(target: object) {
    // oxlint-disable-next-line no-constructor-return -- this is how a private field gets onto an Error
    return target;
  }
}

class Stamp extends Returned {
  readonly #message: string;
  readonly #name: string;

  constructor(target: object, message: string, name: string) {
    super(target);
    this.#message = message;
    this.#name = name;
  }

  static is(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #name in value;
  }

  static message(target: object): string {
    return (target as Stamp).#message;
  }

  static stampedName(target: object): string {
    return (target as Stamp).#name;
  }
}

/** A real `Error` (for `Error.isError` and the stack) with the private fields of a DOMException. */
export class DOMException {
  declare readonly stack: string;

  constructor(message: unknown = '', nameOrOptions: unknown = 'Error') {
    const text = toDOMString(message);
    const hasOptions = typeof nameOrOptions === 'object' && nameOrOptions !== null;
    const options = hasOptions ? (nameOrOptions as { name?: unknown; cause?: unknown }) : undefined;
    const name = options === undefined ? toDOMString(nameOrOptions) : toDOMString(options.name ?? 'Error');
    const self: Error = reflectConstruct(Error, [], Error);
    // oxlint-disable-next-line no-new -- stamps `self`
    new Stamp(self, text, name);
    objectSetPrototypeOf(self, new.target.prototype);
    captureStackTrace(self, new.target);
    if (options !== undefined && 'cause' in options) {
      objectDefineProperty(self, 'cause', { value: options.cause, writable: true, configurable: true });
    }
    // oxlint-disable-next-line no-constructor-return -- `self` is the Error, this object is only its stamp
    return self as unknown as DOMException;
  }

  get name(): string {
    return Stamp.stampedName(this);
  }

  get message(): string {
    return Stamp.message(this);
  }

  get code(): number {
    return CODES.get(Stamp.stampedName(this)) ?? 0;
  }
}

objectSetPrototypeOf(DOMException.prototype, Error.prototype);
defineInterface(DOMException, 'DOMException');
defineConstants(DOMException, Object.fromEntries(LEGACY.map(([constant], i) => [constant, i + 1])));

export function isDOMException(value: unknown): value is DOMException {
  return Stamp.is(value);
}
