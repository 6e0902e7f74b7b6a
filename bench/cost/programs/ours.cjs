// Many rotations, as a program declares them.
const { AwsIamUserSecretRotation } = require("pulumi-iam-rotation");

const { names, rotation } = require("./rotation.json").args;

for (const name of names) {
  new AwsIamUserSecretRotation(name, { ...rotation, parameters: { ...rotation.parameters, userName: name } });
}
