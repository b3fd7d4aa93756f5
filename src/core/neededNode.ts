/** The oldest Node.js that runs brink; a package made of it says so too. */
export const NEEDED_NODE = '22.18';

const { node } = process.versions;
const advice =
  process.platform === 'linux' ? `; \`npm install node-linux-${process.arch}@24\` puts one where npx finds it` : '';

/** What to tell whoever runs brink with an older one; undefined where this one will do. */
export const nodeIsTooOld =
  node.localeCompare(NEEDED_NODE, 'en', { numeric: true }) < 0
    ? `brink: this is Node.js ${node}. brink needs ${NEEDED_NODE} or newer${advice}.`
    : undefined;
