/** Isolates as tiles: the area is the memory, the colour is the CPU of the last second. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Isolate } from '../api/watching.ts';
import { toBytes, toCount, toDuration, toMicros } from '../ui/format.ts';

const MAX_TILES = 400; // of a cell; the largest, which are those to look at
const MAX_SPARES = 40;
const MIN_SIDE_PX = 24; // also what a finger needs
const MAX_SIDE_PX = 160;
const SIDE_PX_OF_ROOT_MIB = 26; // 1 MiB: 26 px; 4 MiB: 52 px; 16 MiB: 104 px
const MIB = 1_048_576;

/** From which share of a second's CPU on. */
const HEATS = [
  { from: 0, title: 'idle' },
  { from: 0.000_001, title: 'under 1 % CPU' },
  { from: 0.01, title: '1 to 5 %' },
  { from: 0.05, title: '5 to 20 %' },
  { from: 0.2, title: '20 to 50 %' },
  { from: 0.5, title: 'over 50 %' },
] as const;

export function HeatLegend(): JSX.Element {
  return (
    <div class="legend" role="group" aria-label="What the colours mean: CPU of the last second">
      {HEATS.map(({ title }, heat) => (
        <span key={title}>
          <i class={`heat-${heat}`} />
          {title}
        </span>
      ))}
      <span>area: memory</span>
    </div>
  );
}

interface TilesProps {
  readonly id: string;
  readonly isolates: readonly Isolate[];
  readonly spares: number;
  readonly showsAccount: boolean;
}

export function Tiles({ id, isolates, spares, showsAccount }: TilesProps): JSX.Element {
  const [selected, setSelected] = useState<string>();
  const shown = toShown(isolates);
  const chosen = shown.find(({ key }) => key === selected)?.isolate;
  return (
    <>
      <ul class="tiles" aria-label={`Isolates of cell ${id}`}>
        {shown.map(({ key, isolate }) => (
          <li key={key}>
            <Tile
              isolate={isolate}
              showsAccount={showsAccount}
              isSelected={key === selected}
              onSelect={() => setSelected(key === selected ? undefined : key)}
            />
          </li>
        ))}
        {Array.from({ length: Math.min(spares, MAX_SPARES) }, (_, index) => (
          <li key={`spare ${index}`} aria-hidden="true">
            <span class="tile spare" title="a spare: an isolate that waits for a Worker" />
          </li>
        ))}
      </ul>
      {isolates.length > shown.length && (
        <p class="muted">and {toCount(isolates.length - shown.length)} smaller ones, which the table has</p>
      )}
      {chosen !== undefined && <p role="status">{describe(chosen)}</p>}
    </>
  );
}

interface TileProps {
  readonly isolate: Isolate;
  readonly showsAccount: boolean;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
}

function Tile({ isolate, showsAccount, isSelected, onSelect }: TileProps): JSX.Element {
  const side = toSide(isolate.memory_bytes);
  return (
    <button
      type="button"
      class={`tile heat-${toHeat(isolate)}`}
      style={{ width: `${side}px`, height: `${side}px` }}
      aria-pressed={isSelected}
      title={describe(isolate)}
      onClick={onSelect}
    >
      <span>{isolate.worker}</span>
      {showsAccount && <span>{isolate.account}</span>}
      <span class="hidden">{describeState(isolate)}</span>
    </button>
  );
}

function toSide(bytes: number): number {
  const side = SIDE_PX_OF_ROOT_MIB * Math.sqrt(Math.max(bytes, 0) / MIB);
  return Math.round(Math.min(Math.max(side, MIN_SIDE_PX), MAX_SIDE_PX));
}

function toHeat({ cpu_us_last_second, requests_last_second }: Isolate): number {
  const share = Math.max(cpu_us_last_second / 1e6, requests_last_second > 0 ? 0.000_001 : 0);
  return HEATS.findLastIndex(({ from }) => share >= from);
}

function describe(isolate: Isolate): string {
  return `${isolate.worker} of ${isolate.account}, ${describeState(isolate)}`;
}

function describeState(isolate: Isolate): string {
  const { version, memory_bytes, cpu_us_last_second, requests_last_second, idle_ms, age_ms } = isolate;
  return (
    `version ${version.slice(0, 8)}: ${toBytes(memory_bytes)}, ` +
    `${toMicros(cpu_us_last_second)} CPU and ${toCount(requests_last_second)} requests in the last second, ` +
    `idle for ${toDuration(idle_ms)}, ${toDuration(age_ms)} old`
  );
}

/** In an order that stays, so that tiles do not jump; several of one version tell apart by their age. */
function toShown(isolates: readonly Isolate[]): { key: string; isolate: Isolate }[] {
  const largest = isolates.toSorted((a, b) => b.memory_bytes - a.memory_bytes).slice(0, MAX_TILES);
  const ordered = largest
    .map((isolate) => ({ name: `${isolate.account}/${isolate.worker}/${isolate.version}`, isolate }))
    .toSorted((a, b) => a.name.localeCompare(b.name) || b.isolate.age_ms - a.isolate.age_ms);
  const seen = new Map<string, number>();
  return ordered.map(({ name, isolate }) => {
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    return { key: `${name}/${nth}`, isolate };
  });
}
