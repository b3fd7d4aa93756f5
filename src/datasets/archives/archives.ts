/** An archive as its authors publish it, and what is in it. */
export interface Archive {
  readonly name: string;
  readonly url: string;
  /** In bytes, with checksums in hexadecimal: the MD5 is the authors' own. */
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
  /** The folder that it unpacks to, */
  readonly folder: string;
  /** and the files in it that are read, each with the checksum that is known of it. */
  readonly files: Readonly<Record<string, FileChecksum>>;
  /** Whether nothing else is kept of it, nor downloaded behind them: where it is large, and nobody reads it. */
  readonly onlyThese?: true;
  /** Whether it is kept as it came, under this name in its folder, and read without being unpacked. */
  readonly keptAs?: string;
}

/** In hexadecimal. */
export type FileChecksum = { readonly sha256: string } | { readonly md5: string };

const CIFAR = 'https://www.cs.toronto.edu/~kriz';

/**
 * The binary versions of Krizhevsky's data sets, of STL-10 (Coates, Ng and Lee, 2011), and Tiny-ImageNet (Le and Yang,
 * 2015). Source of sizes and MD5: https://www.cs.toronto.edu/~kriz/cifar.html, https://cs.stanford.edu/~acoates/stl10/
 */
export const archives: Readonly<Record<string, Archive>> = {
  'cifar-10': {
    name: 'cifar-10',
    url: `${CIFAR}/cifar-10-binary.tar.gz`,
    size: 170052171,
    md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
    folder: 'cifar-10-batches-bin',
    files: {
      'data_batch_1.bin': { sha256: 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5' },
      'data_batch_2.bin': { sha256: 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed' },
      'data_batch_3.bin': { sha256: 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67' },
      'data_batch_4.bin': { sha256: '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48' },
      'data_batch_5.bin': { sha256: '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add' },
      'test_batch.bin': { sha256: '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b' },
    },
  },
  'cifar-100': {
    name: 'cifar-100',
    url: `${CIFAR}/cifar-100-binary.tar.gz`,
    size: 168513733,
    md5: '03b5dce01913d631647c71ecec9e9cb8',
    sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
    folder: 'cifar-100-binary',
    files: {
      'train.bin': { sha256: 'f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29' },
      'test.bin': { sha256: 'd8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a' },
    },
  },
  'stl-10': {
    name: 'stl-10',
    url: 'http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz',
    size: 2640397119,
    md5: '91f7769df0f17e558f3565bffb0c7dfb',
    sha256: 'f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866',
    folder: 'stl10_binary',
    files: {
      'train_X.bin': { md5: '918c2871b30a85fa023e0c44e0bee87f' },
      'train_y.bin': { md5: '5a34089d4802c674881badbb80307741' },
      'test_X.bin': { md5: '7f263ba9f9e0b06b93213547f721ac82' },
      'test_y.bin': { md5: '36f9794fa4beb8a2c72628de14fa638e' },
    },
    // The unlabeled images behind them are 2.8 GB.
    onlyThese: true,
  },
  'tiny-imagenet': {
    name: 'tiny-imagenet',
    url: 'http://cs231n.stanford.edu/tiny-imagenet-200.zip',
    size: 248100043,
    md5: '90528d7ca1a48142e341f4ef8d21d0de',
    sha256: '6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821',
    folder: 'tiny-imagenet-200',
    files: {
      'tiny-imagenet-200.zip': { sha256: '6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821' },
    },
    keptAs: 'tiny-imagenet-200.zip',
  },
};
