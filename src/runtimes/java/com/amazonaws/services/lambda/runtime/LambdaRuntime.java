// The interface that AWS publishes for functions (com.amazonaws:aws-lambda-java-core 1.4.0), declared anew: like AWS's runtime,
// this one has it, so that functions need not bring it. Only names and signatures; what they mean is in AWS's Developer Guide.
package com.amazonaws.services.lambda.runtime;

import lambent.Logging;

public final class LambdaRuntime {
    private LambdaRuntime() {}

    public static LambdaLogger getLogger() {
        return Logging.LOGGER;
    }
}
