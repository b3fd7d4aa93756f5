/** Whether everything is tested, `npm test -- --all`: every test on every engine, and what takes minutes. */
export const everything = process.env.BRINK_TEST_ALL === 'yes';
