// embedded by the application
