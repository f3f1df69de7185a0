/** Stack traces of a bundle, told in the files and lines of its source. */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative, resolve } from 'node:path';

/** Takes a stack as V8 prints it; gives it back with the positions of the sources. */
export type StackMapper = (stack: string) => string;

const INLINE_MAP = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

/** For a bundle with an inline source map; undefined where it has none. `name` is the module's name in the stack. */
export function createStackMapper(code: string, name: string): StackMapper | undefined {
  const encoded = INLINE_MAP.exec(code)?.[1];
  if (encoded === undefined) return undefined;
  const map = new SourceMap(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as SourceMapPayload);
  const position = new RegExp(`${RegExp.escape(name)}:(\\d+):(\\d+)`, 'g');
  return (stack) =>
    stack.replace(position, (whole, line: string, column: string) => {
      const origin = map.findOrigin(Number(line), Number(column));
      return 'fileName' in origin
        ? `${toShortPath(origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`
        : whole;
    });
}

/** esbuild names sources relative to the bundle, which is in the working directory. */
function toShortPath(source: string): string {
  return relative('.', resolve(source));
}
