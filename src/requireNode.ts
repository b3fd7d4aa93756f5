// Imported before all else, so that an older Node.js fails here, and not in the middle of a run.
import { nodeIsTooOld } from './core/neededNode.ts';

if (nodeIsTooOld) throw new Error(nodeIsTooOld);
