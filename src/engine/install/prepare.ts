// Makes the native engine when a clone is set up; whatever goes wrong costs speed, not the set-up.
import { installNative } from './installNative.ts';
import { INSTEAD } from './recipes.ts';

const say = (line: string) => console.log(`brink: ${line}`);

if (process.env.BRINK_SKIP_NATIVE === '1') {
  say(`the native engine is left out (BRINK_SKIP_NATIVE=1). ${INSTEAD}`);
} else {
  try {
    const { folder, made } = await installNative({ log: say });
    say(`the native engine is ${made ? 'ready' : 'there already'}: ${folder}`);
  } catch (error) {
    say(`${(error as Error).message}`);
    say('`npx brink engine install` tries again.');
  }
}
