import type { JsonObject } from '../core/Json.ts';
import type { Objective } from '../core/Objective.ts';
import { openRecording } from './openRecording.ts';
import type { ObjectiveOfOptions } from './rebuildObjective.ts';
import { requireSameObjective } from './requireSameObjective.ts';

const WHO = 'objectiveOf';

/**
 * The objective that a recording was made of, built again from its header: model, data, loss and chunk.
 *
 * What the header cannot hold is handed in: data of one's own (`arrays`, or the folder of the files), models and
 * losses brought along. It is compared with the header before it is returned, data by their checksums. The engine is
 * the one of this process; another than the recording's rounds differently.
 *
 * Cost: loading the data, and opening the engine.
 *
 * @param path A recording.
 * @param options `data`, `model`, `loss`, where brink cannot make them itself.
 * @throws BrinkError as a rejection where the header names a model, loss, data set or objective that brink does not
 *   know and that was not handed in, or what comes of it is not what was recorded.
 */
export async function objectiveOf(path: string, options: ObjectiveOfOptions = {}): Promise<Objective> {
  const recording = openRecording(WHO, path);
  recording.close();
  // Loads whatever has a name.
  const { rebuildObjective } = await import('./rebuildObjective.ts');
  const objective = await rebuildObjective(path, recording.header.source?.objective as JsonObject | undefined, options);
  requireSameObjective(WHO, recording, objective);
  return objective;
}
