// Stands in for the package in the floor's project: the same type, loader text and secrets, and nothing behind them. The
// inputs are those that our check gives, and all outputs are declared, so that the engine has as much to carry as for us.
const pulumi = require("@pulumi/pulumi");

const TYPE = "pulumi-nodejs:dynamic/iam-rotation:AwsIamUserSecretRotation";
const LOADER = 'exports.handler=()=>require("pulumi-iam-rotation/dynamic").provider';

class AwsIamUserSecretRotation extends pulumi.CustomResource {
  constructor(name, inputs, { outputNames, secretOutputs }) {
    const outputs = Object.fromEntries(outputNames.map((output) => [output, undefined]));
    const options = { additionalSecretOutputs: [...secretOutputs] };
    // As ours does: no stack for each promise.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(TYPE, name, { ...outputs, ...inputs, __provider: LOADER }, options);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

module.exports = { AwsIamUserSecretRotation };
