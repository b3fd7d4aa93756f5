import type { Dataset, Examples } from '../core/Dataset.ts';
import { BrinkError, given, requireInteger, requireNumber } from '../core/errors.ts';
import { float32, integers, requireChoice, requireFlag, requireList, requireText } from '../core/given.ts';
import { isPromise, shown } from '../core/shown.ts';
import type { Loss } from './Loss.ts';
import type { Model, Parameter } from './Model.ts';

const DISTRIBUTIONS = ['normal', 'uniform', 'constant', 'given'] as const;

/**
 * Throws unless `model` is what its type says: in JavaScript, and in what was brought along, nothing else would.
 *
 * @throws BrinkError naming the field.
 */
export function requireModel(who: string, model: unknown): asserts model is Model {
  const of = 'mlp({ … }), or an object of your own with name, parameters and forward';
  requireObject(who, 'model', model, of);
  requireText(who, 'model.name', model.name);
  requireConfig(who, 'model.config', model.config);
  integers(who, 'model.inputShape', model.inputShape, 1);
  requireInteger(who, 'model.outputCount', model.outputCount, 1);
  if (model.coupled !== undefined) requireFlag(who, 'model.coupled', model.coupled);
  requireFunction(who, 'model.forward', model.forward, '(parameters, inputs) => outputs');
  if (model.penalty !== undefined) requireFunction(who, 'model.penalty', model.penalty, '(parameters) => scalar');
  requireList(who, 'model.parameters', model.parameters);
  const parameters = Array.from(model.parameters) as Parameter[];
  if (parameters.length === 0) throw new BrinkError(who, 'model.parameters is []. There is nothing to train.');
  const names = new Set<string>();
  parameters.forEach((parameter, k) => {
    const path = `model.parameters[${k}]`;
    requireObject(who, path, parameter, '{ name, shape, initializer }');
    const { name, shape, initializer } = parameter as unknown as Parameter;
    requireText(who, `${path}.name`, name);
    if (names.has(name))
      throw new BrinkError(who, `${path}.name is '${name}', as one before it is. Names must differ.`);
    names.add(name);
    integers(who, `${path}.shape`, shape, 1);
    const at = `${path}.initializer`;
    requireObject(who, at, initializer, "{ distribution: 'normal', scale: 0.1 }");
    requireChoice(who, `${at}.distribution`, initializer.distribution, DISTRIBUTIONS);
    if (initializer.distribution === 'given') float32(who, `${at}.values`, initializer.values);
    else requireNumber(who, `${at}.scale`, initializer.scale, Number.NEGATIVE_INFINITY);
  });
}

/** Throws unless `loss` is what its type says. @throws BrinkError naming the field. */
export function requireLoss(who: string, loss: unknown): asserts loss is Loss {
  if (typeof loss === 'string') {
    throw new BrinkError(
      who,
      `loss is '${loss}'. It is an object, not its name: import { crossEntropy } from 'brink', and hand that over.`,
    );
  }
  requireObject(who, 'loss', loss, 'crossEntropy, or one of your own with name and perExample');
  requireText(who, 'loss.name', loss.name);
  requireConfig(who, 'loss.config', loss.config);
  if (loss.degree !== undefined) requireNumber(who, 'loss.degree', loss.degree, Number.NEGATIVE_INFINITY);
  requireFunction(who, 'loss.perExample', loss.perExample, '(outputs, targets) => losses');
}

/** Throws unless `data` is what its type says, with lengths that fit. @throws BrinkError naming the field. */
export function requireDataset(who: string, data: unknown): asserts data is Dataset {
  requireObject(who, 'data', data, 'await digits(), or arrays({ … })');
  requireText(who, 'data.name', data.name);
  const width = integers(who, 'data.inputShape', data.inputShape, 1).reduce((a, b) => a * b, 1);
  requireInteger(who, 'data.outputCount', data.outputCount, 1);
  requireConfig(who, 'data.metadata', data.metadata);
  requireExamples(who, 'data.train', data.train, width, data.outputCount);
  if (data.test != null) requireExamples(who, 'data.test', data.test, width, data.outputCount);
}

function requireExamples(who: string, name: string, examples: unknown, width: number, outputs: number): void {
  requireObject(who, name, examples, 'as arrays({ … }) makes it');
  const { count, inputs, targets, labels } = examples as unknown as Examples;
  requireInteger(who, `${name}.count`, count, 1);
  const parts = [
    [`${name}.inputs`, inputs, width],
    [`${name}.targets`, targets, outputs],
  ] as const;
  for (const [what, values, each] of parts) {
    if (!(values instanceof Float32Array)) {
      throw new BrinkError(who, `${given(what, values)} It must be a Float32Array; arrays({ … }) makes one.`);
    }
    if (values.length !== count * each) {
      throw new BrinkError(
        who,
        `${what} has ${values.length} entries. ${count} examples of ${each} have ${count * each}.`,
      );
    }
    float32(who, what, values, (k) => `${what}: entry ${k % each} of example ${Math.floor(k / each)}`);
  }
  if (labels == null) return;
  requireList(who, `${name}.labels`, labels);
  if (labels.length !== count) {
    throw new BrinkError(who, `${name}.labels has ${labels.length} entries. There are ${count} examples.`);
  }
  for (let i = 0; i < count; i++) {
    const label: unknown = labels[i];
    if (Number.isInteger(label) && (label as number) >= 0 && (label as number) < outputs) continue;
    throw new BrinkError(
      who,
      `${name}.labels[${i}] is ${shown(label)}. The class of an example is the place of its largest output, from 0 ` +
        `to ${outputs - 1}; take other labels, or null where there are no classes.`,
    );
  }
}

function requireObject(
  who: string,
  name: string,
  value: unknown,
  such: string,
): asserts value is Readonly<Record<string, unknown>> {
  if (isPromise(value)) throw new BrinkError(who, `${name} is a promise. Await it first: ${name}: await …`);
  if (typeof value === 'function') {
    throw new BrinkError(who, `${name} is a function. Call it, and hand over what it returns: ${such}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BrinkError(who, `${given(name, value)} It must be an object: ${such}.`);
  }
}

function requireConfig(who: string, name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new BrinkError(who, `${given(name, value)} It must be an object of what the metadata is to tell; {} does.`);
}

function requireFunction(who: string, name: string, value: unknown, of: string): void {
  if (typeof value === 'function') return;
  const what = value === undefined ? `${name} is missing.` : `${name} is ${shown(value)}.`;
  throw new BrinkError(who, `${what} It must be a function, ${of}.`);
}
