import { dirname, extname, join } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import { type FileArray, parseNpy } from '../../files/npy.ts';
import { readSafetensors, TENSOR_TYPES } from '../../files/safetensors.ts';
import { readZip } from '../../files/zip.ts';
import { openSource, type Source } from './openSource.ts';

/** The arrays of a file, each read when it is asked for. */
export interface Arrays {
  readonly sources: Source[];
  /** What they are called; of an npy file its own name, and others beside it are found by theirs. */
  readonly names: readonly string[];
  /** @throws BrinkError where there is none of the name, or it is damaged. */
  array(name: string): Promise<FileArray>;
}

export const ARRAY_ENDINGS = ['.npz', '.npy', '.safetensors'] as const;

/** Opens a file of arrays by its ending. */
export async function readArrays(who: string, path: string, expected?: readonly string[]): Promise<Arrays> {
  const ending = extname(path).toLowerCase();
  if (!(ARRAY_ENDINGS as readonly string[]).includes(ending)) {
    throw new BrinkError(
      who,
      `${path} is none of ${ARRAY_ENDINGS.join(', ')}. Tables (.csv, .parquet) are read by tableData.`,
    );
  }
  const source = await openSource(who, path, expected);
  const sources = [source];
  if (ending === '.npy') {
    return {
      sources,
      names: [source.file],
      async array(name) {
        let found = sources.find(({ file }) => file === name);
        if (found === undefined) {
          found = await openSource(who, join(dirname(path), name), expected);
          sources.push(found);
        }
        return parseNpy(who, found.path, found.bytes);
      },
    };
  }
  const arrays = new Map(ending === '.npz' ? npz(who, source) : safetensors(who, path));
  const names = [...arrays.keys()];
  return {
    sources,
    names,
    async array(name) {
      const read = arrays.get(name);
      if (read === undefined) {
        throw new BrinkError(
          who,
          `${path} has no array '${name}'. It has ${names.join(', ') || 'none'}; name one of them.`,
        );
      }
      return read();
    },
  };
}

type Entries = readonly (readonly [string, () => FileArray])[];

function npz(who: string, { path, bytes }: Source): Entries {
  return readZip(who, path, bytes).map(({ name, bytes }) => [
    name.replace(/\.npy$/, ''),
    () => parseNpy(who, `${name} in ${path}`, bytes()),
  ]);
}

function safetensors(who: string, path: string): Entries {
  const { tensors } = readSafetensors(who, path, TENSOR_TYPES);
  return tensors.map(({ name, ...array }) => [name, () => array]);
}
