import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolders } from '../files/makeFolders.ts';
import { writeWhole } from '../files/WholeFile.ts';
import { packState } from './packedState.ts';
import { pageAround, pageFiles } from './pageFiles.ts';
import { WatchedFolder } from './WatchedFolder.ts';

/**
 * Writes the page of a folder into one file, with its rows, scripts and style in it: it needs no server and no network.
 * What is unfinished is in it as far as it is whole. Returns how many bytes it has.
 *
 * @throws BrinkError where there is no run in the folder.
 */
export async function savePage(directory: string, path: string): Promise<number> {
  const folder = new WatchedFolder(directory);
  const state = await folder.state();
  const files = await pageFiles();
  const tables = Object.fromEntries(
    state.runs.flatMap((run) =>
      run.tables.map((table) => {
        const place = folder.place(run.id, table.id)!;
        return [`${run.id} ${table.id}`, readFileSync(place.path).subarray(0, table.wholeBytes).toString('base64')];
      }),
    ),
  );
  // Within a script element only its end is not text.
  const data = JSON.stringify({ state: packState(state), tables }).replaceAll('<', '\\u003c');
  const script = files.get('/page.js')!.text.replaceAll('</script', '<\\/script');
  const style = files.get('/page.css')!.text;
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const text = pageAround(
    `<meta http-equiv="Content-Security-Policy" content="${policy}"><style>${style}</style><link rel="icon" href="data:,">`,
    `<script type="application/json" id="saved">${data}</script><script type="module">${script}</script>`,
  );
  makeFolders(dirname(path));
  writeWhole(path, text);
  return Buffer.byteLength(text);
}
