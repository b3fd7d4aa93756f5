import { dirname, relative, resolve } from 'node:path';
import { sayingWhy } from '../../files/sayingWhy.ts';
import { writeWhole } from '../../files/WholeFile.ts';
import type { FigureRecord } from '../FigureRecord.ts';
import { readPart } from './readPart.ts';
import { reportPage } from './reportPage.ts';

/** A folder that a report tells of, and its record where that is not on disk yet. */
export interface ReportSource {
  readonly directory: string;
  readonly figure?: FigureRecord;
}

/**
 * Writes one HTML file that tells of figures and runs: verdicts first, then claims, rules, pictures, settings, runs,
 * numerical health, provenance.
 *
 * It needs no network and no script, and the same folders give the same bytes: `verifyReport` compares them.
 *
 * Cost: every table is read and hashed.
 *
 * @param sources The folders of figures (figure.json) or of runs (run.json).
 * @param path The file.
 * @throws BrinkError as a rejection where a folder holds neither, or a table is damaged.
 */
export async function writeReport(sources: readonly ReportSource[], path: string): Promise<void> {
  const from = dirname(resolve(path));
  const folders = sources.map(({ directory }) => relative(from, resolve(directory)) || '.');
  const text = await reportText(sources, folders);
  sayingWhy('report', `${path} can't be written`, 'Name a file that can.', () => writeWhole(path, text));
}

/** What `writeReport` writes, with the folders called as they are here. */
export async function reportText(sources: readonly ReportSource[], folders: readonly string[]): Promise<string> {
  const parts = await Promise.all(sources.map(({ directory, figure }) => readPart(resolve(directory), figure)));
  return reportPage(parts, folders);
}
