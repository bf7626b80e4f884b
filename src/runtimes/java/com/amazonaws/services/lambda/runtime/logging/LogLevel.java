// The interface that AWS publishes for functions (com.amazonaws:aws-lambda-java-core 1.4.0), declared anew: like AWS's runtime,
// this one has it, so that functions need not bring it. Only names and signatures; what they mean is in AWS's Developer Guide.
package com.amazonaws.services.lambda.runtime.logging;

public enum LogLevel {
    UNDEFINED,
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR,
    FATAL;

    public static LogLevel fromString(String name) {
        try {
            return valueOf(name.toUpperCase());
        } catch (Exception e) {
            throw new IllegalArgumentException("Invalid log level: '" + name + "' expected one of [TRACE, DEBUG, INFO, WARN, ERROR, FATAL]");
        }
    }
}
