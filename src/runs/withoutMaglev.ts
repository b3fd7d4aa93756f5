// Imported before all else. Of the compilers in Node.js, Maglev, the middle one, now and then gives one field of an
// object for another: with Node.js 24 one run in eight of all figures' claims had a line's root for its slope, and none
// without it. TurboFan still compiles what is hot.
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--no-maglev');
