// As many resources as ours, over the package that only echoes.
const { AwsIamUserSecretRotation } = require("pulumi-iam-rotation");

const { names, template, inputs, nextRotationAt, outputNames, secretOutputs } = require("./rotation.json").args;

const text = JSON.stringify(inputs);
for (const name of names) {
  const own = JSON.parse(text.replaceAll(template, name));
  new AwsIamUserSecretRotation(name, nextRotationAt ? { ...own, nextRotationAt } : own, { outputNames, secretOutputs });
}
