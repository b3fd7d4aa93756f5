import { accessSync, constants, existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import type { Step } from '../core/Step.ts';
import { FileLock, holderOf } from '../files/FileLock.ts';
import { isBeingWritten, type Writer } from '../files/isBeingWritten.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { openRecording } from './openRecording.ts';
import {
  type EstimateListener,
  isInHand,
  RecordingFile,
  type RecordingStart,
  requireDiskRoom,
} from './RecordingFile.ts';
import { FORMAT_VERSION, type RecordingHeader, type Selection } from './RecordingHeader.ts';
import type { RecordedStep, StepShape } from './recordingColumns.ts';
import { requireSameRun } from './requireSameRun.ts';
import { requireSameWeights } from './requireSameWeights.ts';

const WHO = 'record';

/** Takes steps one after the other, and writes those that are to be recorded. */
export interface Recorder {
  take(step: Step): void;
  finish(): void;
}

/** What a recording may take the place of. */
interface Room {
  readonly overwrite: boolean;
  /** Files that the source reads while it emits. */
  readonly reads: readonly string[];
}

interface BeginOptions extends Room {
  readonly gradient: boolean;
  readonly onEstimate: EstimateListener;
}

/**
 * Throws where a recording would take the place of another file, unless it may; it may not of what is read or written.
 */
export function requireRoom(target: string, { overwrite, reads }: Room): void {
  if (!existsSync(target)) return;
  if (!overwrite) {
    throw new BrinkError(
      WHO,
      `${target} is there already. It would be lost; name another file, or pass overwrite: true; ` +
        'resume(path) goes on with it.',
    );
  }
  if (reads.some((path) => resolve(path) === target)) {
    throw new BrinkError(WHO, `${target} is what this run reads, and overwrite would remove it. Name another file.`);
  }
  const old = openRecording(WHO, target);
  old.close();
  requireFree(target, old.header);
  const holder = holderOf(target);
  if (holder) throw inUse(target, holder);
}

/**
 * Begins a recording with the first step that it takes.
 *
 * @throws BrinkError where one is there, unless it may be replaced.
 */
export function beginRecording(
  target: string,
  header: RecordingHeader,
  { gradient, onEstimate, ...room }: BeginOptions,
): Recorder {
  requireRoom(target, room);
  sayingWhy(WHO, `${target} cannot be written`, 'Name another file.', () => rmSync(target, { force: true }));
  const shape = (step: Step): StepShape => ({
    paramCount: step.weights.length,
    hasVelocity: step.velocity !== null,
    hasGradient: gradient,
  });
  return recorder(
    header.selection,
    null,
    (step) => ({ path: target, version: FORMAT_VERSION, header, shape: shape(step), kept: null, onEstimate }),
    { target, lock: null },
  );
}

/**
 * Goes on with a recording behind its last whole step; until there is one to write, nothing is written. It is this
 * recorder's alone until it finishes.
 *
 * @throws BrinkError where there is none, it is damaged, it is of another run, it is gone on with already, or it can't
 *   be written.
 */
export function continueRecording(target: string, first: Step, onEstimate: EstimateListener): Recorder {
  openRecording(WHO, target).close();
  const lock = lockRecording(target);
  try {
    const { version, header, shape, end, indices, last } = wholePart(target);
    requireFree(target, header);
    requireSameRun(WHO, target, header, first.run.metadata);
    const kept = { bytes: end, steps: indices.length };
    const more = expectedBehind(last?.index ?? -1, first, header.selection);
    if (indices.length > 0) requireDiskRoom(target, { bytes: Math.ceil((end / indices.length) * more), steps: more });
    const start = () => ({ path: target, version, header, shape, kept, onEstimate });
    // Of a run that begins at a recorded step, what doesn't come is left out by what stands in front, as it was before.
    const requireAdjacent = (next: Step) => {
      if (last && first.index > last.index) requireNothingBetween(next, last.index, header.selection);
    };
    return recorder(header.selection, last, start, { target, lock, requireAdjacent });
  } catch (error) {
    lock.release();
    throw error;
  }
}

function lockRecording(target: string): FileLock {
  let lock: FileLock | Writer;
  try {
    accessSync(target, constants.W_OK);
    lock = FileLock.take(target);
  } catch (cause) {
    throw new BrinkError(
      WHO,
      `${target} cannot be gone on with: ${(cause as Error).message}. The file and its folder must be writable; ` +
        'copy it to where they are, or name another recording.',
      { cause },
    );
  }
  if (lock instanceof FileLock) return lock;
  throw inUse(target, lock);
}

/** What a recording holds, and its last step; it is closed again. */
function wholePart(target: string) {
  const recording = openRecording(WHO, target);
  try {
    const { indices, damage } = recording;
    // What lies behind the damage would be cut off.
    if (damage) throw damage;
    return { ...recording, last: indices.length === 0 ? null : recording.read(indices.length - 1) };
  } finally {
    recording.close();
  }
}

function recorder(
  selection: Selection,
  recorded: RecordedStep | null,
  start: (first: Step) => RecordingStart,
  {
    target,
    lock,
    requireAdjacent = () => {},
  }: {
    readonly target: string;
    readonly lock: FileLock | null;
    /** Throws where the first step to be written doesn't follow those that are there. */
    readonly requireAdjacent?: (next: Step) => void;
  },
): Recorder {
  let file: RecordingFile | null = null;
  let shape: StepShape | null = null;
  let last = recorded?.index ?? -1;
  let isFinished = false;
  return {
    take(step) {
      if (!isSelected(step.index, selection)) return;
      requireStorable(step);
      if (file === null && recorded !== null && step.index <= last) {
        if (step.index === last) requireSameWeights(WHO, target, recorded, step);
        return;
      }
      requireRising(step, last);
      if (file === null) requireAdjacent(step);
      if (file === null || shape === null) {
        const begin = start(step);
        file = new RecordingFile(begin);
        shape = begin.shape;
      }
      requireShape(step, shape);
      file.append({ ...step, gradient: shape.hasGradient ? step.gradient : null }, expectedFrom(step, selection));
      last = step.index;
    },
    finish() {
      if (isFinished) return;
      isFinished = true;
      try {
        file?.finish();
      } finally {
        lock?.release();
      }
    },
  };
}

/** Throws where a whole number would not be the same in its column. */
function requireStorable(step: Step): void {
  for (const name of ['index', 'batchSize'] as const) {
    if ((step[name] | 0) === step[name]) continue;
    throw new BrinkError(
      WHO,
      `${name} is ${step[name]} at step ${step.index}. A recording holds whole numbers from 0 to 2147483647.`,
    );
  }
}

function isSelected(t: number, { every, from, to }: Selection): boolean {
  return t >= from && t % every === 0 && (to === null || t <= to);
}

/** How many of the steps 0 … t are recorded. */
function selectedUpTo(t: number, { every, from, to }: Selection): number {
  const multiples = (upTo: number) => Math.floor(upTo / every) + 1;
  return Math.max(0, multiples(Math.min(t, to ?? t)) - multiples(from - 1));
}

/** How many steps behind the last recorded one are to be recorded at most; 0 where it is unknown. */
function expectedBehind(recorded: number, { run: { last } }: Step, selection: Selection): number {
  return last === null ? 0 : Math.max(0, selectedUpTo(last, selection) - selectedUpTo(recorded, selection));
}

/** How many steps are to be recorded at most, this one included; null: unknown. */
function expectedFrom({ index, run: { last, total } }: Step, selection: Selection): number | null {
  if (last === null) return total;
  const left = selectedUpTo(last, selection) - selectedUpTo(index - 1, selection);
  return Math.min(left, total ?? left);
}

function requireRising({ index }: Step, last: number): void {
  if (index > last) return;
  throw new BrinkError(
    WHO,
    `step ${index} came after step ${last}. A recording holds one run, whose steps rise; ` +
      'give each run a file of its own.',
  );
}

function requireNothingBetween({ index }: Step, last: number, selection: Selection): void {
  if (selectedUpTo(index - 1, selection) <= selectedUpTo(last, selection)) return;
  throw new BrinkError(
    WHO,
    `the recording ends with step ${last}, and the next to come is step ${index}. ` +
      'The steps between would be missing; resume from a step that it holds.',
  );
}

function requireShape(step: Step, { paramCount, hasVelocity, hasGradient }: StepShape): void {
  const wrong =
    step.weights.length !== paramCount ||
    (step.velocity?.length ?? null) !== (hasVelocity ? paramCount : null) ||
    (hasGradient && step.gradient.length !== paramCount);
  if (!wrong) return;
  throw new BrinkError(
    WHO,
    `step ${step.index} has ${step.weights.length} weights and ${step.velocity ? 'a' : 'no'} velocity, ` +
      `and the recording ${paramCount} and ${hasVelocity ? 'one' : 'none'}. All steps of a recording are alike.`,
  );
}

function requireFree(target: string, { writer }: RecordingHeader): void {
  const isOwn = isInHand(target);
  if (isOwn || isBeingWritten(target, writer, 'write'))
    throw inUse(target, isOwn ? { ...writer, pid: process.pid } : writer);
}

function inUse(target: string, { host, pid }: Writer): BrinkError {
  const isHere = host === hostname();
  const where = !isHere ? ` on ${host}` : pid === process.pid ? ' (another sink of this program)' : '';
  return new BrinkError(
    WHO,
    `${target} is in use by process ${pid}${where}. Two would write over each other; wait for its end, or name another file.`,
  );
}
