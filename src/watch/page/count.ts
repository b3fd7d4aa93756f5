/** So many of something: 1 row, 2 rows. */
export const count = (many: number, one: string): string => `${many} ${many === 1 ? one : `${one}s`}`;
