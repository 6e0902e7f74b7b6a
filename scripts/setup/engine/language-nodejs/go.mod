// Builds the engine's Node.js language host: v3.66.0 is the last version of sdk/v3 that holds it, and it serves newer
// engines too. A module of its own, because the engine needs a newer sdk/v3.
module pulumi-iam-rotation/language-nodejs

go 1.25.11

require github.com/pulumi/pulumi/sdk/v3 v3.66.0
