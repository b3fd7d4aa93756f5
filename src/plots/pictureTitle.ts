import type { TopLevelSpec } from 'vega-lite';

/** What stands above a picture, in one line; undefined where nothing does. */
export function pictureTitle({ title }: TopLevelSpec): string | undefined {
  const text = typeof title === 'object' && title !== null && 'text' in title ? title.text : title;
  const whole = Array.isArray(text) ? text.join(' ') : text;
  return typeof whole === 'string' && whole !== '' ? whole : undefined;
}
