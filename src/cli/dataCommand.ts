import { Command } from 'commander';
import { BrinkError } from '../core/errors.ts';
import { archives } from '../datasets/archives/archives.ts';
import { requireName } from '../runs/requireName.ts';

const WHO = 'data';
const NAMES = Object.keys(archives);

/** `brink data get`, `brink data check` and `brink data show`. */
export function dataCommand(): Command {
  const command = new Command('data');
  command
    .command('get')
    .description("download a data set from its authors' page, check it and unpack it")
    .argument('<name>', NAMES.join(' or '))
    .option('--folder <dir>', 'where its folder is to lie', 'data')
    .option('--url <url>', 'another place that has the same archive')
    .addHelpText(
      'after',
      `
Examples:
  brink data get cifar-10
  brink data get cifar-100 --folder /scratch/data

The archive must have the authors' checksum, wherever it comes from. A download that is cut off goes on when the
command is run again.`,
    )
    .action(async (name: string, { folder: directory, url }: { folder: string; url?: string }) => {
      requireName(WHO, 'data set', name, NAMES);
      const { getArchive } = await import('../datasets/archives/getArchive.ts');
      const log = (line: string) => console.log(line);
      const { folder, made } = await getArchive(archives[name]!, { directory, log, ...(url !== undefined && { url }) });
      console.log(`${made ? 'there now, and right' : 'there already, and right'}: ${folder}`);
    });
  command
    .command('check')
    .description('compare the files of data sets with their checksums')
    .argument('[name]', `${NAMES.join(' or ')}; default: those that are there`)
    .option('--folder <dir>', 'where it lies', 'data')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  brink data check --folder data\n\nExits with 1 where a file is wrong or missing.',
    )
    .action(async (name: string | undefined, { folder, json }: { folder: string; json?: boolean }) => {
      if (name !== undefined) requireName(WHO, 'data set', name, NAMES);
      const { checkArchive } = await import('../datasets/archives/checkArchive.ts');
      const checked = await Promise.all(
        (name === undefined ? NAMES : [name]).map(async (data) => ({
          data,
          files: await checkArchive(archives[data]!, folder),
        })),
      );
      const isThere = (files: readonly { state: string }[]) => files.some(({ state }) => state !== 'missing');
      const asked = checked.filter(({ files }) => name !== undefined || isThere(files));
      if (asked.length === 0) {
        throw new BrinkError(WHO, `there is no data set in ${folder}. \`brink data get ${NAMES[0]}\` brings one.`);
      }
      const files = asked.flatMap((data) => data.files);
      console.log(
        json ? JSON.stringify(asked, null, 2) : files.map(({ path, state }) => `${state.padEnd(7)} ${path}`).join('\n'),
      );
      if (files.some(({ state }) => state !== 'right')) process.exitCode = 1;
    });
  command
    .command('show')
    .description('what a data set is, before anything is trained on it')
    .argument('<data>', 'as in `brink run --data`: digits:train=100, file:train.npz, table:train.csv:label=class')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  brink data show table:train.csv
  brink data show table:train.csv:label=class:normalize=each:test=100
  brink data show cifar10:data:train=1024

Of one's own file first all columns or arrays, with type, missing values and range, whatever is wrong with them; then
the examples as training would have them. Exits with 1 where there are none, and says why.`,
    )
    .action(async (text: string, { json }: { json?: boolean }) => {
      const { showData } = await import('./showData.ts');
      await showData(WHO, text, json ?? false);
    });
  return command;
}
