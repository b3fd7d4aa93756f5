/** The names of what a command line can put together; here alone, so that help comes without an engine. */
export const DATA_NAMES = ['digits', 'cifar10', 'cifar100', 'chebyshev'] as const;
export const MODEL_NAMES = ['mlp', 'cnn', 'cnn6', 'resnet9', 'wideResnet'] as const;
export const LOSS_NAMES = ['crossEntropy', 'meanSquaredError'] as const;
