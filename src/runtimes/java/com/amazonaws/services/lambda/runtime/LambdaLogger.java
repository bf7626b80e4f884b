// The interface that AWS publishes for functions (com.amazonaws:aws-lambda-java-core 1.4.0), declared anew: like AWS's runtime,
// this one has it, so that functions need not bring it. Only names and signatures; what they mean is in AWS's Developer Guide.
package com.amazonaws.services.lambda.runtime;

import com.amazonaws.services.lambda.runtime.logging.LogLevel;

public interface LambdaLogger {
    void log(String message);

    void log(byte[] message);

    default void log(String message, LogLevel level) {
        log(message);
    }

    default void log(byte[] message, LogLevel level) {
        log(message);
    }
}
