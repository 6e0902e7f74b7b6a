// Builds the Pulumi engine; scripts/setup/engine-build.mjs runs it.
module pulumi-iam-rotation/engine

go 1.25.11

require github.com/pulumi/pulumi/pkg/v3 v3.259.0

// The same fork as in pkg/v3's own go.mod: a replace there does not reach a module that requires it.
replace github.com/atotto/clipboard => github.com/tgummerer/clipboard v0.0.0-20241001131231-d02d263e614e
